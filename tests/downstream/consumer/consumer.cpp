// A program of somebody else's, built against the installed package; it takes the expected version.
#include <iostream>
#include <trialwright/version.hpp>

int main(int argc, char** argv) {
  if (argc != 2 || trialwright::k_version != argv[1]) {
    std::cerr << "trialwright/version.hpp says " << trialwright::k_version << '\n';
    return 1;
  }
}
