// StateMachine: the state a coordinator keeps for one partition, changed by replaying records and by turns. Sans-I/O.
#pragma once

#include <cstdint>
#include <optional>

#include <base/bytes.h>
#include <base/ids.h>
#include <base/result.h>
#include <coordinator/core/turn.h>
#include <coordinator/core/undo_log.h>

namespace dohle::coordinator {

struct ReplayedRecord {
  Offset offset;
  ProducerId producer_id = kNoProducerId;  // of a transactional batch, else kNoProducerId
  Bytes key;
  std::optional<Bytes> value;  // none: tombstone
};

class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // Applies one record, from the log when loading, from a turn when live. Records of a type it does not know are to be
  // skipped; an error means that the partition cannot be loaded. Changes are pushed to `undo`.
  [[nodiscard]] virtual Result<> replay(const ReplayedRecord& record, UndoLog& undo) = 0;
  // The end of a transaction whose records were replayed with this producer id.
  virtual void replay_transaction_end(ProducerId producer_id, bool committed) = 0;
  // All records up to the log end are replayed; operations follow.
  virtual void on_loaded(Turn& turn) = 0;
  // No operation follows; whoever is parked gets an answer now.
  virtual void on_unloaded() = 0;
};

}  // namespace dohle::coordinator
