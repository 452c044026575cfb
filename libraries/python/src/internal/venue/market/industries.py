"""The industries that simulated companies belong to: eleven sectors, each with a few industries.

Codes and wording are those of the SEC's list of Standard Industrial Classification codes
(sec.gov/search-filings/standard-industrial-classification-sic-code-list).
"""

from typing import NamedTuple


class Industry(NamedTuple):
    """An industry as its readers name it, with the SEC's four digits and description."""

    sector: str
    name: str
    sic_code: str
    sic_description: str


INDUSTRIES = (
    Industry("Communication Services", "Telecommunications", "4813", "TELEPHONE COMMUNICATIONS (NO RADIOTELEPHONE)"),
    Industry("Communication Services", "Cable and Streaming", "4841", "CABLE & OTHER PAY TELEVISION SERVICES"),
    Industry("Consumer Discretionary", "Automobiles", "3711", "MOTOR VEHICLES & PASSENGER CAR BODIES"),
    Industry("Consumer Discretionary", "Restaurants", "5812", "RETAIL-EATING PLACES"),
    Industry("Consumer Discretionary", "Apparel Retail", "5651", "RETAIL-FAMILY CLOTHING STORES"),
    Industry("Consumer Staples", "Food", "2000", "FOOD AND KINDRED PRODUCTS"),
    Industry("Consumer Staples", "Beverages", "2080", "BEVERAGES"),
    Industry("Energy", "Oil and Gas Production", "1311", "CRUDE PETROLEUM & NATURAL GAS"),
    Industry("Energy", "Refining", "2911", "PETROLEUM REFINING"),
    Industry("Financials", "Banks", "6021", "NATIONAL COMMERCIAL BANKS"),
    Industry("Financials", "Insurance", "6331", "FIRE, MARINE & CASUALTY INSURANCE"),
    Industry("Financials", "Capital Markets", "6211", "SECURITY BROKERS, DEALERS & FLOTATION COMPANIES"),
    Industry("Health Care", "Pharmaceuticals", "2834", "PHARMACEUTICAL PREPARATIONS"),
    Industry("Health Care", "Biotechnology", "2836", "BIOLOGICAL PRODUCTS, (NO DIAGNOSTIC SUBSTANCES)"),
    Industry("Health Care", "Medical Instruments", "3841", "SURGICAL & MEDICAL INSTRUMENTS & APPARATUS"),
    Industry("Industrials", "Aircraft", "3721", "AIRCRAFT"),
    Industry("Industrials", "Machinery", "3560", "GENERAL INDUSTRIAL MACHINERY & EQUIPMENT"),
    Industry("Industrials", "Railroads", "4011", "RAILROADS, LINE-HAUL OPERATING"),
    Industry("Information Technology", "Semiconductors", "3674", "SEMICONDUCTORS & RELATED DEVICES"),
    Industry("Information Technology", "Software", "7372", "SERVICES-PREPACKAGED SOFTWARE"),
    Industry("Information Technology", "Computers", "3571", "ELECTRONIC COMPUTERS"),
    Industry("Materials", "Steel", "3312", "STEEL WORKS, BLAST FURNACES & ROLLING MILLS (COKE OVENS)"),
    Industry("Materials", "Gold and Silver", "1040", "GOLD AND SILVER ORES"),
    Industry("Real Estate", "Real Estate Investment Trusts", "6798", "REAL ESTATE INVESTMENT TRUSTS"),
    Industry("Utilities", "Electric Utilities", "4911", "ELECTRIC SERVICES"),
    Industry("Utilities", "Water Utilities", "4941", "WATER SUPPLY"),
)

SECTORS = tuple(sorted({industry.sector for industry in INDUSTRIES}))
