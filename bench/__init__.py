"""What the README's figures come from. Each module prints its figures; `--quick` forms run in CI."""
