"""The services that the judge provides to a SUT: databases, upstream services, the network between nodes."""
