"""Many trainings, and whatever else takes long: what there is to do, who does it, what it costs, how far it is."""
