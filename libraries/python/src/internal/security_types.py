"""The codes of security types, as Polygon defines them (https://polygon.io/docs/rest/stocks/tickers/ticker-types)."""

COMMON_STOCK = "CS"
DEPOSITARY_RECEIPT = "ADRC"
UNKNOWN = "UNKNOWN"  # the fund's own: listed by a vendor that does not say what it is
DESCRIPTIONS = {
    COMMON_STOCK: "Common Stock",
    "PFD": "Preferred Stock",
    "WARRANT": "Warrant",
    "RIGHT": "Rights",
    "BOND": "Corporate Bond",
    "ETF": "Exchange Traded Fund",
    "ETN": "Exchange Traded Note",
    "ETV": "Exchange Traded Vehicle",
    "SP": "Structured Product",
    DEPOSITARY_RECEIPT: "American Depository Receipt Common",
    "ADRP": "American Depository Receipt Preferred",
    "ADRW": "American Depository Receipt Warrants",
    "ADRR": "American Depository Receipt Rights",
    "FUND": "Fund",
    "BASKET": "Basket",
    "UNIT": "Unit",
    "LT": "Liquidating Trust",
    "OS": "Ordinary Shares",
    "GDR": "Global Depository Receipts",
    "OTHER": "Other Security Type",
    "NYRS": "New York Registry Shares",
}
KNOWN_TYPES = (*DESCRIPTIONS, UNKNOWN)
