//! Pure: tables, orchestrator, limits, failure ledger, continuation, explanations. No async, no I/O, no clock.
