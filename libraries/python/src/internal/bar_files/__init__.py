"""Files of daily bars and of equity details as people have them: CSV, parquet, or a folder of one file a ticker.

`read_bars` and `read_details` are the only readers of such files; each answers with a frame and a `ReadReport`.
"""
