// Finished work that was found in shard files, entered into a ledger as far as it fits what is asked
// for.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "engine/ledger.hpp"
#include "engine/run_study.hpp"
#include "scenario/study_spec.hpp"
#include "shard/shard_file.hpp"

namespace trialwright::shard {

// Enters the values, and of the pieces those that together cover the most: of the planned points alone,
// within the trials asked for and, with a precision target, within its rounds; of these those that
// `is_usable` (may be empty). Returns the pieces that are left out. Tells the ledger the shapes of the
// planned points' tracks.
std::vector<engine::Piece> enter(std::vector<Content> contents, const engine::StudyPlan& plan,
                                 const scenario::SimulationSpec& simulation, engine::Ledger& ledger,
                                 const std::function<bool(const engine::Piece&)>& is_usable = {});

// Are all rows there that `outputs` asks for, in part files in this directory? Not where the piece was
// made without, or its parts are gone.
bool has_rows(const engine::Piece& piece, const scenario::OutputsSpec& outputs,
              const std::filesystem::path& shards_directory);

// All that the ledger holds, and those of `left_out` that hold trials which it lacks.
Content content_of(const Header& header, const engine::Ledger& ledger,
                   const std::vector<engine::Piece>& left_out);

}  // namespace trialwright::shard
