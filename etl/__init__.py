"""QQCatalyst to PostgreSQL: an agency's book of business, clean, complete and current."""

from importlib.metadata import version

__version__ = version("qqcatalyst-etl")
