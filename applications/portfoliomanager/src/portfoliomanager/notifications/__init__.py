"""Messages to the owner: what is said when, and how it reaches mail, Telegram, Slack and the like."""
