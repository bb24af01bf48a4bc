// The one place that names the architectures.
#include "vaetl/models/autoencoder.hpp"
#include "vaetl/models/cnn.hpp"
#include "vaetl/models/conv_autoencoder.hpp"
#include "vaetl/models/conv_vae.hpp"
#include "vaetl/models/dcgan.hpp"
#include "vaetl/models/gan.hpp"
#include "vaetl/models/lenet.hpp"
#include "vaetl/models/lstm.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/models/mobilenet_v1.hpp"
#include "vaetl/models/mobilenet_v2.hpp"
#include "vaetl/models/resnet.hpp"
#include "vaetl/models/resnet_cifar.hpp"
#include "vaetl/models/sequence_autoencoder.hpp"
#include "vaetl/models/skip_autoencoder.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/models/vgg.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

template <>
Registry<Model>& registry<Model>() {
  static Registry<Model> models = [] {
    Registry<Model> table("model");
    table.add<models::Mlp>();
    table.add<models::Cnn>();
    table.add<models::LeNet>();
    table.add<models::CifarResNet>();
    table.add<models::ResNet>();
    table.add<models::MobileNetV1>();
    table.add<models::MobileNetV2>();
    table.add<models::Vgg>();
    table.add<models::Autoencoder>();
    table.add<models::ConvAutoencoder>();
    table.add<models::SkipAutoencoder>();
    table.add<models::Vae>();
    table.add<models::ConvVae>();
    table.add<models::Gan>();
    table.add<models::Dcgan>();
    table.add<models::Lstm>();
    table.add<models::SequenceAutoencoder>();
    table.add<models::SequenceVae>();
    return table;
  }();
  return models;
}

}  // namespace vaetl
