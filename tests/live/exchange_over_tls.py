"""Serves the exchange over TLS at an address of this machine.

python -m live.exchange_over_tls ADDRESS CERTIFICATE KEY
"""

import sys

import uvicorn

from exchange.server import create_application

if __name__ == "__main__":
    address, certificate, key = sys.argv[1:]
    uvicorn.run(
        create_application(),
        host=address,
        port=443,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_config=None,
        access_log=False,
    )
