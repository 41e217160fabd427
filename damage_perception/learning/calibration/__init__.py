"""From scores and a budget of false alarms to a threshold with its bound."""
