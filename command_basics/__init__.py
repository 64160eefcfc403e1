"""What the commands of this project have in common: settings read in one way, log levels, the place of an error.

Knows neither Ory nor C1 nor Singer, and imports nothing of the other packages: they bring their schemas, the
prefix of their variables and the error that their users are shown.
"""
