"""What a SUT may reach: its databases, upstream services and the network, as the judge serves them."""
