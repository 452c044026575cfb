"""The services of a fund by name, for messages, files and addresses."""

from enum import StrEnum


class Service(StrEnum):
    """The services of a fund, in the order in which they start."""

    EXCHANGE = "exchange"
    DATAMANAGER = "datamanager"
    PORTFOLIOMANAGER = "portfoliomanager"
    SCHEDULER = "scheduler"


OFFLINE_SERVICES = (Service.EXCHANGE, Service.DATAMANAGER, Service.PORTFOLIOMANAGER)
BROKER_SERVICES = (Service.DATAMANAGER, Service.PORTFOLIOMANAGER, Service.SCHEDULER)
