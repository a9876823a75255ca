"""Looking at how things stand: freshness, runs, findings. Reads alone; nothing here writes."""
