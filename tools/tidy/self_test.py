"""Every check must find what it is there to find, and let good text pass."""
import pathlib
import subprocess
import tempfile
import unittest

from . import banned, dead, layers, settings, size, words
from .repository import Repository, blank


class Sample(unittest.TestCase):
    """A repository made of the given files."""

    def repository(self, **files):
        return self.of(files)

    def of(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for path, text in files.items():
            target = pathlib.Path(folder.name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding='utf-8')
        return Repository(folder.name)

    def rules(self, findings):
        return [finding.rule for finding in findings]


class Banned(Sample):
    def found(self, text, path='src/storage/log.cc'):
        return self.rules(banned.check_source(self.of({path: text})))

    def test_each_way_out_is_found(self):
        for text, rule in (('auto t = std::chrono::steady_clock::now();', 'clock'), ('std::mutex m;', 'thread'), ('std::thread t;', 'thread'),
                           ('int fd = ::open(path, 0);', 'system call'), ('int s = ::socket(1, 2, 3);', 'system call'), ('FILE* f = fopen(a, b);', 'system call'),
                           ('std::random_device d;', 'random'), ('#include <mutex>', 'system header'), ('#include <sys/socket.h>', 'system header'),
                           ('#include <boost/asio.hpp>', 'system header'), ('std::ifstream in(path);', 'file'), ('#include <filesystem>', 'file'),
                           ('std::unordered_map<int, int> m;', 'hash'), ('#include <format>', 'library')):
            self.assertEqual(self.found(text), [rule], text)

    def test_comments_and_literals_do_not_count(self):
        self.assertEqual(self.found('// std::mutex\n/* fopen( */ const char* s = "std::thread ::open(";'), [])

    def test_the_live_runtime_may(self):
        self.assertEqual(self.found('#include <mutex>\nstd::mutex m; int fd = ::open(p, 0);', 'src/runtime/live/x.cc'), [])

    def test_tests_may_read_files_but_not_clocks(self):
        self.assertEqual(self.found('#include <fstream>\nstd::ifstream in(path);', 'src/storage/log_test.cc'), [])
        self.assertEqual(self.found('auto t = std::chrono::system_clock::now();', 'src/storage/log_test.cc'), ['clock'])

    def test_members_of_the_same_name_are_no_system_calls(self):
        self.assertEqual(self.found('files.open(path); File::open(path); x->close(); log::write(a);'), [])

    def test_headers(self):
        self.assertEqual(self.found('int x;', 'src/storage/log.h'), ['header'])
        self.assertEqual(self.found('#pragma once\nusing namespace std;', 'src/storage/log.h'), ['header'])

    def test_symbols(self):
        listing = '                 U clock_gettime@GLIBC_2.17\n                 U dohle::time(int)\n                 U open\n0000 T main\n'
        names = banned.undefined_symbols(listing)
        self.assertEqual(names, ['clock_gettime@GLIBC_2.17', 'dohle::time(int)', 'open'])
        self.assertEqual([name for name in names if banned.is_banned_symbol(name)], ['clock_gettime@GLIBC_2.17', 'open'])
        self.assertTrue(banned.is_banned_symbol('std::chrono::_V2::steady_clock::now()'))
        self.assertFalse(banned.is_banned_symbol('dohle::storage::Log::open(int)'))

    def test_trees_ordered_by_address(self):
        tree = '0000 W std::_Rb_tree<dohle::runtime::File*, dohle::runtime::File*, std::less<int> >::insert()\n'
        self.assertEqual(banned.address_ordered(tree), ['std::_Rb_tree<dohle::runtime::File*,'])
        self.assertEqual(banned.address_ordered('0000 W std::_Rb_tree<int, std::pair<int const, dohle::File*>, X>::find(int)\n'), [])


class Layers(Sample):
    def found(self, path, text):
        return self.rules(layers.check(self.of({path: text})))

    def test_downward_and_foreign_includes_are_found(self):
        self.assertEqual(self.found('src/storage/log.cc', '#include <raft/core.h>'), ['order'])
        self.assertEqual(self.found('src/base/x.h', '#include <runtime/task.h>'), ['order'])
        self.assertEqual(self.found('src/client/x.cc', '#include <storage/log.h>'), ['order'])
        self.assertEqual(self.found('src/raft/x.cc', '#include "../storage/private.h"'), ['order'])
        self.assertEqual(self.found('src/gadgets/x.cc', ''), ['order'])

    def test_upward_includes_pass(self):
        self.assertEqual(self.found('src/storage/log.cc', '#include <records/batch.h>\n#include <vector>\n#include "storage/x.h"'), [])
        self.assertEqual(self.found('src/client/x.cc', '#include <transport/client_connection.h>'), [])


class Size(Sample):
    LONG = '\n'.join(['  f();'] * 71)

    def sizes(self, text):
        return [(name, lines) for name, _, lines in size.cpp_functions(blank(text))]

    def test_long_functions_are_found(self):
        repository = self.of({'src/base/x.cc': f'namespace a {{\nvoid g(int x) {{\n{self.LONG}\n}}\n}}\n'})
        self.assertEqual(self.rules(size.check(repository)), ['size'])

    def test_long_files_are_found(self):
        repository = self.of({'src/base/x.cc': '\n' * 801, 'src/base/x.h': '#pragma once\n' * 401, 'src/base/y.cc': '\n' * 800})
        self.assertEqual([finding.path for finding in size.check(repository)], ['src/base/x.cc', 'src/base/x.h'])

    def test_long_python_functions_are_found(self):
        repository = self.of({'tools/x.py': 'def f():\n' + '    pass\n' * 71})
        self.assertEqual(self.rules(size.check(repository)), ['size'])

    def test_shapes_of_functions(self):
        for text, expected in (('int f() { return 1; }', [('f', 1)]),
                               ('struct S {\n  S() : a_{1}, b_(2) {\n    g();\n  }\n  int h() const noexcept {\n  }\n};', [('S', 3), ('h', 2)]),
                               ('template <typename T>\nauto f(T t) -> std::vector<T> {\n}\n', [('f', 3)]),
                               ('constexpr X kAll[] = {\n  {1},\n  {2}};\nvoid f(A a = {}) {\n}\n', [('f', 2)]),
                               ('enum class E { kA };\nclass C;\nvoid f() {\n  auto l = [](int x) {\n    return x;\n  };\n}', [('f', 5)]),
                               ('TEST(A, B) {\n}\n', [('TEST', 2)]),
                               ('#define M(x) do { x; } while (0)\nvoid C::f() {\n}\n', [('C::f', 2)]),
                               ('struct P {\n  struct Q {\n    void f() {}\n  };\n};', [('f', 1)])):
            self.assertEqual(self.sizes(text), expected, text)

    def test_the_ratchet_only_shrinks(self):
        found = {'a.cc': (1, 900, 800)}
        self.assertEqual(self.rules(size.compare(found, {'a.cc': 900}, {'a.cc': 900})), [])
        self.assertEqual(self.rules(size.compare(found, {'a.cc': 850}, None)), ['size'])
        self.assertEqual(self.rules(size.compare(found, {'a.cc': 950}, None)), ['ratchet'])
        self.assertEqual(self.rules(size.compare({}, {'a.cc': 900}, None)), ['ratchet'])
        self.assertEqual(self.rules(size.compare(found, {'a.cc': 900}, {})), ['ratchet'])
        self.assertEqual(self.rules(size.compare(found, {'a.cc': 900}, {'a.cc': 880})), ['ratchet'])

    def test_growth_is_seen_in_git(self):
        repository = self.of({size.RATCHET: 'a.cc 900\n'})

        def git(*words_):
            identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.org']
            subprocess.run(['git', '-C', str(repository.root), *identity, *words_], check=True, capture_output=True)
        git('init')
        git('add', '.')
        git('commit', '-m', 'one')
        self.assertIsNone(size.previous_ratchet(repository))
        (repository.root / size.RATCHET).write_text('a.cc 900\nb.cc 900\n', encoding='utf-8')
        self.assertEqual(size.previous_ratchet(repository), {'a.cc': 900})
        git('commit', '-am', 'two')
        self.assertEqual(size.previous_ratchet(repository), {'a.cc': 900})


class Words(Sample):
    def found(self, path, text):
        return self.rules(words.check(self.of({path: text})))

    def test_paths_hosts_and_unfinished_work_are_found(self):
        self.assertEqual(self.found('docs/x.md', 'see /ho' + 'me/anna/x'), ['path'])
        self.assertEqual(self.found('docs/x.md', 'from https://registry.npmjs.' + 'org/x'), ['registry'])
        self.assertEqual(self.found('src/base/x.cc', '// TO' + 'DO: later'), ['unfinished'])

    def test_empty_names_are_found(self):
        for path in ('src/base/utils.h', 'src/base/string_util.cc', 'src/common/x.cc', 'src/base/test_helpers.h'):
            self.assertEqual(self.found(path, ''), ['name'], path)

    def test_good_text_passes(self):
        self.assertEqual(self.found('src/base/x.cc', '// build/release/dohle, $HOME/data, /tmp/kafka-logs, https://example.org/home/x'), [])


class Dead(Sample):
    def test_headers_corpora_scripts_and_sources(self):
        repository = self.of({'src/base/CMakeLists.txt': '', 'src/base/x.h': '', 'src/base/y.h': '', 'src/base/y.cc': '#include "y.h"',
                              'src/base/corpus/x_fuzz/a': '1', 'src/base/z_fuzz.cc': '', 'tools/lost.py': '', 'tools/used.py': '', 'Makefile': 'tools/used.py',
                              'src/lone/a.cc': '', 'apps/b.cc': ''})
        self.assertEqual([finding.path for finding in dead.check_files(repository)],
                         ['src/base/x.h', 'src/base/corpus/x_fuzz', 'src/base', 'tools/lost.py', 'apps/b.cc', 'src/lone/a.cc'])

    def test_readmes(self):
        repository = self.of({'src/base/x.cc': '', 'src/raft/README.md': 'x\n', 'src/sim/README.md': 'x\n' * 10})
        self.assertEqual([finding.path for finding in dead.check_readmes(repository)], ['src/base/README.md', 'src/raft/README.md'])

    def test_folders(self):
        repository = self.of({'docs/ARCHITECTURE.md': '| `src/base/` | x |\n| `src/raft/` | x |\n| `docs/` | x |\n', 'src/base/x.cc': '', 'web/x': ''})
        self.assertEqual([finding.message.split('/ is')[0] for finding in dead.check_folders(repository)], ['web', 'src/raft'])


class Settings(Sample):
    def test_a_setting_that_nobody_reads_does_not_work(self):
        notes = '# table | name\nserver | num.partitions | works | x\nserver | log.dirs | works | x\nserver | shards | later | x\n'
        repository = self.of({settings.NOTES: notes, 'src/broker/x.cc': 'get("num.partitions")', 'src/broker/x_test.cc': 'get("log.dirs")'})
        self.assertEqual([finding.line for finding in settings.check(repository)], [3])


if __name__ == '__main__':
    unittest.main()
