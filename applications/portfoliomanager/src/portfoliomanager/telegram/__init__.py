"""Commands of the owner from Telegram: status, halt and reduce, and nothing that resumes or closes."""
