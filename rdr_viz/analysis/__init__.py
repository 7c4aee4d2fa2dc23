"""The numbers behind the pictures: pure functions from runs to tidy tables; nothing here imports matplotlib."""
