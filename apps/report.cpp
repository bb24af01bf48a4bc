// vaetl-report: one self-contained page over runs and sweeps.
#include "vaetl/report/report.hpp"
#include "apps/support/program.hpp"
#include "vaetl/io/atomic_file.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

Result write_report(const Arguments& arguments) {
  const auto& runs = arguments.positional();
  if (runs.empty()) throw ConfigError({"command line", "RUN, the folder of a run or a sweep", "nothing", "see --help"});
  if (!arguments.has("out")) throw ConfigError({"command line", "--out FILE.html", "none", "see --help"});
  const std::filesystem::path out = arguments.text("out");
  const std::string page = render_report({runs.begin(), runs.end()}, arguments.text("title"));
  if (out.has_parent_path()) make_folder(out.parent_path());
  write_atomically(out, page);
  return {{{"report", out.string()}, {"bytes", page.size()}, {"runs", runs}}, out.string() + "\n"};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-report",
      .synopsis = "vaetl-report RUN… --out FILE.html [options]",
      .purpose = "makes one self-contained page of runs and sweeps",
      .flags = {out_flag("FILE", "the page"), {"title", "T", "its title (after the runs)"}},
      .notes =
          "Of several folders the page begins with what compares them: a row a run, their curves over each\n"
          "other, and the keys in which their recipes differ.\n",
      .example = "  vaetl-report runs/simclr runs/few-labels --out report.html --title 'Few labels'\n",
      .run = write_report};
  run_program(program, argc, argv);
}
