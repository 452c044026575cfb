"""polygon-api-client, the vendor's client under its old name."""

import polygon
from vendor_tests import VendorTests


class TestPolygon(VendorTests):
    """What it must be able to do."""

    library = polygon
