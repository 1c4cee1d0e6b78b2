//! Nothing: the dependency is what matters.
