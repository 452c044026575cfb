"""Makes the bodies of answers from the venue's values: Alpaca's and the control API's."""
