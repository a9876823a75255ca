"""Details: the calls that are made one per parent, in one order of value, within the budgets."""
