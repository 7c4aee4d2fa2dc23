"""Numbers of what a network says and of what its training showed: pure functions of arrays and tensors."""
