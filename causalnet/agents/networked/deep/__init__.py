"""Neural policies and critics over neighbourhoods, and the learner that trains them."""
