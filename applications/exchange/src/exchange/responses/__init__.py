"""The models of answers: Alpaca's, Polygon's and the control API's."""
