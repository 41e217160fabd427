"""The belt, tray or table that items lie on."""
