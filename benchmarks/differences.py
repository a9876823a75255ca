"""The differences between the candidates that the comparison does not even out, printed with its table."""

DIFFERENCES = """
- **Unchanged**: ours recognizes a page by the digest of its records and a record by its hash, and skips unchanged
  data; the others write every row again. Most of the difference comes from that.
- **Cleaning**: ours and the naive candidate clean and check every field, ours with more rules. dlt stores an invalid
  date in a second column and money as a float; the tap stores dates as the original text.
- **Tables**: ours fills contacts, policies, fees and carriers with foreign keys, the raw records, findings and the
  ledger; dlt fills a table for each list inside a record; the tap and the naive candidate fill two, raw COPY one.
- **Guarantees**: ours commits page groups from which an interrupted run resumes, compares totals, and detects
  deletions in a full read of a filled database; the others do none of that.
- **Table creation**: our migrations create our tables before the time starts; the others create theirs in the full
  step. No time includes interpreter startup or imports.
- **Window of the 1 %**: all candidates read the last day before the change again, as an overlap of one day requires.
  Ours finds that window from its watermark; the others get it as an argument.
- **Calls**: ours has up to 8 concurrent calls and no rate limit; dlt reads both feeds in parallel; the others make one
  call at a time. Without latency that matters little.
- **Raw COPY**: reading the pages is not timed, nothing is checked, and there is no key: a baseline, not a candidate.
""".strip()
