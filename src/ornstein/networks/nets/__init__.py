"""Networks: U-Net, MLP, an adapter for others."""
