"""From numbers to probabilities: the common model, the rare ranker and their aggregation."""
