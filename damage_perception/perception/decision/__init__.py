"""One item, all its views, one verdict within a budget of false alarms."""
