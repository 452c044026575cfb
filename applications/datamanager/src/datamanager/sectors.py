"""A company's sector from its Standard Industrial Classification (SIC) code.

The codes are in the list of the SEC (https://www.sec.gov/search-filings/standard-industrial-classification-sic-code-list)
and its two-digit major groups in https://www.osha.gov/data/sic-manual. The eleven sector names are the market's usual
ones. SIC has divisions and no sectors, so the assignment of industries to sectors is this module's.
"""

import polars as pl

# First the industries (three or four digits) whose sector differs from their major group's, then the major groups:
# ranges of the four-digit code, both ends included. The first range that contains the code decides.
_INDUSTRIES: tuple[tuple[int, int, str], ...] = (
    (1520, 1531, "Consumer Discretionary"),  # homebuilders
    (2510, 2519, "Consumer Discretionary"),  # household furniture
    (2830, 2836, "Health Care"),  # drugs, biological products
    (2840, 2844, "Consumer Staples"),  # soap, cosmetics
    (3140, 3149, "Consumer Discretionary"),  # footwear
    (3570, 3579, "Information Technology"),  # computers and office equipment
    (3630, 3639, "Consumer Discretionary"),  # household appliances
    (3650, 3659, "Consumer Discretionary"),  # household audio and video
    (3660, 3669, "Information Technology"),  # communications equipment
    (3670, 3679, "Information Technology"),  # semiconductors, electronic components
    (3710, 3711, "Consumer Discretionary"),  # motor vehicles
    (3714, 3716, "Consumer Discretionary"),  # motor vehicle parts, motor homes
    (3751, 3751, "Consumer Discretionary"),  # motorcycles
    (3820, 3829, "Information Technology"),  # measuring instruments
    (3840, 3851, "Health Care"),  # surgical, dental, ophthalmic
    (4900, 4949, "Utilities"),
    (4950, 4959, "Industrials"),  # sanitary services, refuse
    (4960, 4991, "Utilities"),
    (5040, 5045, "Information Technology"),  # wholesale of computers
    (5047, 5047, "Health Care"),  # wholesale of medical equipment
    (5120, 5122, "Health Care"),  # wholesale of drugs
    (5140, 5159, "Consumer Staples"),  # wholesale of groceries
    (5170, 5172, "Energy"),  # wholesale of petroleum
    (5180, 5182, "Consumer Staples"),  # wholesale of drink
    (5912, 5912, "Consumer Staples"),  # drug stores
    (6321, 6324, "Health Care"),  # hospital and medical service plans
    (6798, 6798, "Real Estate"),  # real estate investment trusts
    (7310, 7319, "Communication Services"),  # advertising
    (7370, 7374, "Information Technology"),  # software, data processing
    (7800, 7841, "Communication Services"),  # motion pictures
)
_MAJOR_GROUPS: tuple[tuple[int, int, str], ...] = (
    (100, 999, "Consumer Staples"),  # agriculture, forestry, fishing
    (1000, 1199, "Materials"),  # metal mining
    (1200, 1399, "Energy"),  # coal, oil and gas
    (1400, 1499, "Materials"),  # non-metallic minerals
    (1500, 1799, "Industrials"),  # construction
    (2000, 2199, "Consumer Staples"),  # food, tobacco
    (2200, 2399, "Consumer Discretionary"),  # textiles, apparel
    (2400, 2499, "Materials"),  # lumber
    (2500, 2599, "Industrials"),  # office furniture
    (2600, 2699, "Materials"),  # paper
    (2700, 2799, "Communication Services"),  # publishing
    (2800, 2899, "Materials"),  # chemicals
    (2900, 2999, "Energy"),  # petroleum refining
    (3000, 3099, "Materials"),  # rubber, plastics
    (3100, 3199, "Consumer Discretionary"),  # leather
    (3200, 3399, "Materials"),  # stone, glass, primary metals
    (3400, 3899, "Industrials"),  # fabricated metals, machinery, electrical, transport equipment, instruments
    (3900, 3999, "Consumer Discretionary"),  # toys, sporting goods, jewelry
    (4000, 4799, "Industrials"),  # transport
    (4800, 4899, "Communication Services"),
    (5000, 5099, "Industrials"),  # wholesale of durables
    (5100, 5199, "Consumer Discretionary"),  # wholesale of non-durables
    (5200, 5299, "Consumer Discretionary"),  # building materials
    (5300, 5499, "Consumer Staples"),  # general merchandise, food stores
    (5500, 5999, "Consumer Discretionary"),  # other retail, restaurants
    (6000, 6499, "Financials"),
    (6500, 6599, "Real Estate"),
    (6600, 6799, "Financials"),
    (7000, 7299, "Consumer Discretionary"),  # hotels, personal services
    (7300, 7399, "Industrials"),  # business services
    (7500, 7799, "Consumer Discretionary"),  # car rental, repair
    (7800, 7999, "Communication Services"),  # amusement and recreation
    (8000, 8099, "Health Care"),
    (8100, 8199, "Industrials"),  # legal services
    (8200, 8399, "Consumer Discretionary"),  # education, child care
    (8700, 8999, "Industrials"),  # engineering, research, management
)


def sector_expression(code: pl.Expr) -> pl.Expr:
    """The sector (String) of a column of SIC codes as text; null where a code is null, not a number or in no group."""
    number = code.cast(pl.Int32, strict=False)
    return pl.coalesce(
        [
            pl.when(number.is_between(first, last)).then(pl.lit(sector))
            for first, last, sector in (*_INDUSTRIES, *_MAJOR_GROUPS)
        ]
    )
