"""What mining does with labelled data: label errors, confusions, sentiment, unlabelled pools, clusters."""
