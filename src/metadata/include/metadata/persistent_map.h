// PersistentMap: an ordered map whose copies cost nothing and share what they have in common.
//
// A copy is one pointer; a change copies the path from the root to the changed entry (O(log n)) and leaves all other
// copies as they were. Nodes are immutable and counted atomically, so copies may live on different shards.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace dohle::metadata {

template <typename K, typename V, typename Less = std::less<>>
class PersistentMap {
  struct Node;
  using Link = std::shared_ptr<const Node>;
  struct Node {
    K key;
    V value;
    Link left;
    Link right;
    std::uint8_t height;
  };
  static constexpr std::size_t kMaxHeight = 64;

 public:
  // In key order. Valid as long as the map it came from.
  class Iterator {
   public:
    struct Entry {
      const K& key;
      const V& value;
    };
    Entry operator*() const { return {path_[depth_ - 1]->key, path_[depth_ - 1]->value}; }
    Iterator& operator++() {
      const Node* node = path_[--depth_];
      descend(node->right.get());
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      if (a.depth_ == 0 || b.depth_ == 0) return a.depth_ == b.depth_;
      return a.path_[a.depth_ - 1] == b.path_[b.depth_ - 1];
    }

   private:
    friend class PersistentMap;
    void descend(const Node* node) {
      for (; node != nullptr; node = node->left.get()) path_[depth_++] = node;
    }
    std::array<const Node*, kMaxHeight> path_;
    std::size_t depth_ = 0;
  };

  // The value under `key`, or null; lives as long as any copy that holds it.
  template <typename Q>
  [[nodiscard]] const V* find(const Q& key) const {
    const Node* node = root_.get();
    while (node != nullptr) {
      if (Less{}(key, node->key)) {
        node = node->left.get();
      } else if (Less{}(node->key, key)) {
        node = node->right.get();
      } else {
        return &node->value;
      }
    }
    return nullptr;
  }
  template <typename Q>
  [[nodiscard]] bool contains(const Q& key) const {
    return find(key) != nullptr;
  }

  // Inserts or replaces, in this copy only.
  void set(K key, V value) {
    bool grew = false;
    root_ = with(root_, key, value, grew);
    size_ += grew ? 1 : 0;
  }
  // True when the key was there. In this copy only.
  template <typename Q>
  bool erase(const Q& key) {
    if (!contains(key)) return false;
    root_ = without(root_, key);
    --size_;
    return true;
  }
  void clear() {
    root_.reset();
    size_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] Iterator begin() const {
    Iterator at;
    at.descend(root_.get());
    return at;
  }
  [[nodiscard]] Iterator end() const { return {}; }
  // The first entry that is not less than `key`.
  template <typename Q>
  [[nodiscard]] Iterator lower_bound(const Q& key) const {
    Iterator at;
    const Node* node = root_.get();
    while (node != nullptr) {
      if (Less{}(node->key, key)) {
        node = node->right.get();
      } else {
        at.path_[at.depth_++] = node;
        node = node->left.get();
      }
    }
    return at;
  }
  // True when both are copies of one state: a cheap way to see that nothing changed.
  [[nodiscard]] bool same_as(const PersistentMap& other) const { return root_ == other.root_; }

 private:
  static int height(const Link& node) { return node ? node->height : 0; }
  static Link make(K key, V value, Link left, Link right) {
    const auto tall = static_cast<std::uint8_t>(1 + std::max(height(left), height(right)));
    return std::make_shared<const Node>(std::move(key), std::move(value), std::move(left), std::move(right), tall);
  }
  // A node over two subtrees whose heights differ by at most two.
  static Link balanced(const K& key, const V& value, Link left, Link right) {
    if (height(left) > height(right) + 1) {
      if (height(left->left) >= height(left->right)) {
        return make(left->key, left->value, left->left, make(key, value, left->right, std::move(right)));
      }
      const Node& pivot = *left->right;
      return make(pivot.key, pivot.value, make(left->key, left->value, left->left, pivot.left),
                  make(key, value, pivot.right, std::move(right)));
    }
    if (height(right) > height(left) + 1) {
      if (height(right->right) >= height(right->left)) {
        return make(right->key, right->value, make(key, value, std::move(left), right->left), right->right);
      }
      const Node& pivot = *right->left;
      return make(pivot.key, pivot.value, make(key, value, std::move(left), pivot.left),
                  make(right->key, right->value, pivot.right, right->right));
    }
    return make(key, value, std::move(left), std::move(right));
  }
  static Link with(const Link& node, K& key, V& value, bool& grew) {
    if (!node) {
      grew = true;
      return make(std::move(key), std::move(value), nullptr, nullptr);
    }
    if (Less{}(key, node->key))
      return balanced(node->key, node->value, with(node->left, key, value, grew), node->right);
    if (Less{}(node->key, key))
      return balanced(node->key, node->value, node->left, with(node->right, key, value, grew));
    return make(std::move(key), std::move(value), node->left, node->right);
  }
  static Link without_first(const Link& node) {
    if (!node->left) return node->right;
    return balanced(node->key, node->value, without_first(node->left), node->right);
  }
  template <typename Q>
  static Link without(const Link& node, const Q& key) {
    if (Less{}(key, node->key)) return balanced(node->key, node->value, without(node->left, key), node->right);
    if (Less{}(node->key, key)) return balanced(node->key, node->value, node->left, without(node->right, key));
    if (!node->left) return node->right;
    if (!node->right) return node->left;
    const Node* next = node->right.get();
    while (next->left) next = next->left.get();
    return balanced(next->key, next->value, node->left, without_first(node->right));
  }

  Link root_;
  std::size_t size_ = 0;
};

}  // namespace dohle::metadata
