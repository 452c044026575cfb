"""The bodies of the exchange's answers, as models: Alpaca's, Polygon's and the control API's."""
