// The parts of a page: one function a kind of folder, and what they share.
#pragma once
#include <string>

#include "vaetl/report/folder.hpp"

namespace vaetl {

// `level` is that of the section's own headings: 2 on a page of one folder, 3 under a folder's heading.
std::string render_run(const ReportFolder& folder, int level);
std::string render_sweep(const ReportFolder& folder, int level);

// What a run folder's training curves show, one plot a quantity.
std::string render_curves(const ReportFolder& folder, int level);
// Of views.json: which classes are taken for which; maps of the latents.
std::string render_confusion(const ReportFolder& folder, int level);
std::string render_latents(const ReportFolder& folder, int level);
std::string render_pictures(const ReportFolder& folder, int level);
// The command, and the resolved recipe folded away.
std::string render_origin(const ReportFolder& folder, int level);

// "conv_vae trained on fashion-mnist …": plain text, not yet escaped.
std::string describe_run(const ReportFolder& folder);
std::string describe_data(const ReportFolder& folder);  // "fashion-mnist", empty where it is not known

}  // namespace vaetl
