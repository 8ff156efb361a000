"""Good Faith Estimates for clients who pay themselves: 45 CFR 149.610 (what they say and when they are due) and 149.620
(what happens where a bill comes to 400 dollars more)."""
