"""The proxy of the environment: the only thing that a call takes from it."""

from urllib.request import getproxies, proxy_bypass

from yarl import URL


def environment_proxy(url: URL) -> URL | None:
    """Return the proxy that the environment names for a URL, with the credentials in its address; None without one.

    aiohttp's `trust_env` also sends a login of `.netrc` to the server, which would replace our own.
    """
    if url.host is None or proxy_bypass(url.host):
        return None
    address = getproxies().get(url.scheme)
    return URL(address if "://" in address else f"http://{address}") if address else None
