//! The board: reads the store, writes intents; knows nothing of the engine.
