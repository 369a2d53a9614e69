"""Pipeline files to begin from, with the orders and artwork they print; `tilepress demo` runs the first."""
