"""The broker's rules about an order's own terms: which prices, times in force and classes go together."""

from decimal import Decimal

from internal.venue import rejections
from internal.venue.account_settings import AccountSettings
from internal.venue.market.listing import Listing
from internal.venue.money import plain
from internal.venue.orders import OrderClass, OrderRequest, OrderType, PositionIntent, Side, StopLoss, TimeInForce

AUCTION_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT})
LASTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})
CENT, SUB_CENT = Decimal("0.01"), Decimal("0.0001")
PRICES = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("limit_price", "stop_price"),
    OrderType.TRAILING_STOP: (),
}


def check_terms(request: OrderRequest, listing: Listing, settings: AccountSettings) -> None:
    """Raises RequestRefusedError for terms that do not go together, whatever the account holds."""
    _check_prices(request)
    _check_trail(request)
    _check_time_in_force(request)
    if request.is_fractional:
        _check_fractional(request, listing, settings)
    if request.order_class is not OrderClass.SIMPLE:
        _check_class(request)
    elif request.take_profit is not None or request.stop_loss is not None:
        raise rejections.invalid_field("take_profit and stop_loss need an order_class: bracket, oco or oto")


def _check_prices(request: OrderRequest) -> None:
    given = {"limit_price": request.limit_price, "stop_price": request.stop_price}
    for name, price in given.items():
        needed = name in PRICES[request.type]
        if needed and price is None:
            raise rejections.unprocessable(f"{request.type.words} orders require {name}")
        if price is not None and not needed:
            raise rejections.unprocessable(f"{request.type.words} orders must not have {name}")
        check_increment(name, price)


def check_increment(name: str, price: Decimal | None) -> None:
    """Rule 612 of Regulation NMS: whole cents from one dollar on, a hundredth of a cent below."""
    if price is not None and price % (CENT if price >= 1 else SUB_CENT):
        raise rejections.unprocessable(
            f"invalid {name} {plain(price)}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _check_trail(request: OrderRequest) -> None:
    given = [value for value in (request.trail_price, request.trail_percent) if value is not None]
    if request.type is OrderType.TRAILING_STOP:
        if len(given) != 1:
            raise rejections.unprocessable("trailing stop orders require one of trail_price and trail_percent")
    elif given:
        raise rejections.unprocessable(f"{request.type.words} orders must not have trail_price or trail_percent")


def _check_time_in_force(request: OrderRequest) -> None:
    force = request.time_in_force
    if force in {TimeInForce.OPG, TimeInForce.CLS} and request.type not in AUCTION_TYPES:
        raise rejections.unprocessable(f"{force} orders must be market or limit orders")
    if request.type is OrderType.TRAILING_STOP and force not in LASTING:
        raise rejections.unprocessable("trailing stop orders must be DAY or GTC orders")
    if request.extended_hours and (request.type is not OrderType.LIMIT or force not in LASTING):
        raise rejections.unprocessable("extended hours order must be DAY or GTC limit orders")


def _check_fractional(request: OrderRequest, listing: Listing, settings: AccountSettings) -> None:
    if not (listing.fractionable and settings.fractional_trading):
        raise rejections.forbidden(f'asset "{request.ticker}" is not fractionable')
    if request.time_in_force is not TimeInForce.DAY:
        raise rejections.unprocessable("fractional orders must be DAY orders")
    if request.type is OrderType.TRAILING_STOP:
        raise rejections.unprocessable("fractional orders must be market, limit, stop or stop limit orders")
    if request.order_class is not OrderClass.SIMPLE:
        raise rejections.unprocessable("fractional orders must be simple orders")


def _check_class(request: OrderRequest) -> None:
    name = request.order_class
    if request.type not in AUCTION_TYPES:
        raise rejections.invalid_field(f"{name} orders must be market or limit orders")
    if request.time_in_force not in LASTING:
        raise rejections.unprocessable(f"{name} orders must be DAY or GTC orders")
    if request.extended_hours:
        raise rejections.unprocessable(f"{name} orders must not have extended_hours")
    if name is OrderClass.OTO:
        if (request.take_profit is None) == (request.stop_loss is None):
            raise rejections.invalid_field("oto orders require either take_profit or stop_loss")
    else:
        _require_both_exits(request)
    if name is OrderClass.OCO and request.type is not OrderType.LIMIT:
        raise rejections.invalid_field("oco orders must be limit orders")
    for field, price in exit_prices(request.take_profit, request.stop_loss):
        check_increment(field, price)


def _require_both_exits(request: OrderRequest) -> None:
    if request.take_profit is None:
        raise rejections.invalid_field(f"{request.order_class} orders require take_profit.limit_price")
    if request.stop_loss is None:
        raise rejections.invalid_field(f"{request.order_class} orders require stop_loss.stop_price")


def exit_prices(take_profit: Decimal | None, stop_loss: StopLoss | None) -> list[tuple[str, Decimal]]:
    """The prices of both exits that are there, under the names of their fields."""
    found = [
        ("take_profit.limit_price", take_profit),
        ("stop_loss.stop_price", None if stop_loss is None else stop_loss.stop_price),
        ("stop_loss.limit_price", None if stop_loss is None else stop_loss.limit_price),
    ]
    return [(name, price) for name, price in found if price is not None]


def check_exits(request: OrderRequest, intent: PositionIntent, base_price: Decimal) -> None:
    """The two exits lie on either side of the entry's price, a cent away at least.

    `base_price` is the entry's limit, or the last price. Raises RequestRefusedError.
    """
    if request.order_class is OrderClass.SIMPLE:
        return
    if request.order_class is OrderClass.OCO:
        if intent.opens:
            raise rejections.unprocessable("oco orders must be exit orders")
        _check_sides(request, base_price, exit_side=request.side)
        return
    if not intent.opens:
        raise rejections.unprocessable(f"{request.order_class} orders must be entry orders")
    _check_sides(request, base_price, exit_side=request.side.opposite)


def _check_sides(request: OrderRequest, base_price: Decimal, exit_side: Side) -> None:
    """A sale takes its profit above the price and stops its loss below it; a purchase the other way round."""
    sign = -exit_side.sign
    above, below = (">= base_price + 0.01", "<= base_price - 0.01")[::sign]
    stop, is_oco = request.stop_loss, request.order_class is OrderClass.OCO
    if request.take_profit is not None and not is_oco and (request.take_profit - base_price) * sign < CENT:
        raise rejections.beyond_base_price(f"take_profit.limit_price must be {above}", base_price)
    if stop is None:
        return
    if not is_oco and (base_price - stop.stop_price) * sign < CENT:
        raise rejections.beyond_base_price(f"stop_loss.stop_price must be {below}", base_price)
    if request.take_profit is not None and (request.take_profit - stop.stop_price) * sign < CENT:
        raise rejections.unprocessable("take_profit.limit_price and stop_loss.stop_price are on the wrong sides")
