"""What is not like for like in the comparison, printed beside its table."""

NOT_ALIKE = """
- **Unchanged**: ours knows a page by the digest of its records, a record by its hash, and skips what stands already;
  the others write every row again. That skip is most of the difference.
- **Cleaning**: ours and the naive way clean and check every field, ours under more rules. dlt keeps a bad date in a
  second column and money as a float; the tap keeps dates as the text that came.
- **Tables**: ours fills contacts, policies, fees and carriers with foreign keys, the raw records, findings and its
  books; dlt fills a table for each list inside a record; the tap and the naive way fill two, raw COPY one.
- **Guarantees**: ours commits groups of pages that a run cut off takes up again, compares totals, and looks for
  deletions in a full read of a filled database; the others do none of that.
- **Tables made beforehand**: ours are made by its migrations, before the clock starts; the others make theirs in the
  full step. No time includes the interpreter's start or imports.
- **Window of the 1 %**: everybody reads the last day before the change again, as an overlap of one day asks for. Ours
  finds that window by itself, from its mark; the others are told it.
- **Calls**: ours has up to 8 under way, without a cap on the rate; dlt reads both feeds side by side; the others make
  one call at a time. Without latency that matters little.
- **Raw COPY**: reading the pages is not timed, nothing is checked, no key is kept: a yardstick and not a candidate.
""".strip()
