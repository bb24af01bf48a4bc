// Line plots as inline SVG. Colours, shapes and sizes of text come from the page's style sheet, so that they follow the
// reader's light or dark scheme.
#pragma once
#include <string>
#include <vector>

namespace vaetl {

struct PlotPoint {
  double x = 0, y = 0;
  double spread = 0;      // a bar from y − spread to y + spread
  std::string note = {};  // shown on pointing at a marker
};

struct PlotLine {
  std::string name;
  std::vector<PlotPoint> points;  // by increasing x
  int colour = -1;                // below 0: the plot's first and its own place
};

struct Plot {
  std::string title, x_label, y_label;
  bool log_x = false;     // all x above 0
  bool markers = false;   // at every point; a line of one point has one anyway
  bool joined = true;     // the points of a line, by a line
  bool x_values = false;  // tick at the points' own x instead of at round numbers
  int colour = 0;         // of the first line
  bool wide = false;
  std::vector<PlotLine> lines = {};
};

// <figure> with caption, drawing and, for several lines, a legend. Empty where no line has a point.
std::string render_plot(const Plot& plot);

// At most `count` points: each the mean of a run of neighbours.
std::vector<PlotPoint> thin(const std::vector<PlotPoint>& points, std::size_t count);

}  // namespace vaetl
