"""Methods: losses, weightings and the density ratio as pure functions, and how names compose them."""
