//! The edge: the Kubernetes objects we read and write, and their conversion to the model.
