#pragma once

namespace huizhen {

/// Prepares DCMTK once; every entry point calls it.
void initialize();

}  // namespace huizhen
