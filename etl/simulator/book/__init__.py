"""The made-up agency's book of business, one file for each subject."""
