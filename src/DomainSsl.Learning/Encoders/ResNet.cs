using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Encoders;

/// <summary>Two 3×3 convolutions with batch normalisation and a way round them (He et al. 2016, figure 2).</summary>
internal sealed class BasicBlock : nn.Module<Tensor, Tensor>
{
    private readonly Convolution _conv1, _conv2;
    private readonly BatchNorm2d _bn1, _bn2;
    private readonly nn.Module<Tensor, Tensor>? _downsample;

    public BasicBlock(int inputs, int outputs, int stride, Generator generator) : base(nameof(BasicBlock))
    {
        register_module("conv1", _conv1 = new Convolution(inputs, outputs, 3, stride, generator));
        register_module("bn1", _bn1 = nn.BatchNorm2d(outputs));
        register_module("conv2", _conv2 = new Convolution(outputs, outputs, 3, 1, generator));
        register_module("bn2", _bn2 = nn.BatchNorm2d(outputs));
        if (stride == 1 && inputs == outputs) return;
        _downsample = nn.Sequential(("0", new Convolution(inputs, outputs, 1, stride, generator)), ("1", nn.BatchNorm2d(outputs)));
        register_module("downsample", _downsample);
    }

    public override Tensor forward(Tensor input)
    {
        var y = F.relu(_bn1.forward(_conv1.forward(input)), inplace: true);
        y = _bn2.forward(_conv2.forward(y));
        return F.relu(y.add_(_downsample is null ? input : _downsample.forward(input)), inplace: true);
    }
}

/// <summary>
/// A residual network of basic blocks (He et al. 2016). Two shapes are used: a small one with a stem of stride 4, and the one of the public ImageNet weights, whose
/// stages have 2, 2, 2 and 3 blocks. Parameters are named as is customary for ResNets, so that import is a table.
/// </summary>
public sealed class ResNet : Encoder
{
    private readonly Convolution _conv1;
    private readonly BatchNorm2d _bn1;
    private readonly List<nn.Module<Tensor, Tensor>> _stages = [];

    /// <summary>With weights drawn from <paramref name="generator"/>.</summary>
    public ResNet(EncoderSpec spec, Generator generator) : base(spec, spec.Width << Math.Max(0, (spec.Blocks?.Count ?? 1) - 1))
    {
        if (spec.Blocks is not { Count: > 0 and <= 5 } || spec.Blocks.Any(b => b is < 1 or > 50))
            throw new LearningException("A resnet needs 'blocks', the number of blocks in each stage, such as [1, 1, 1, 1].");
        if (spec.Width is < 1 or > 1024) throw new LearningException($"A resnet's width must be 1 to 1024, not {spec.Width}.");
        if (spec.Stem is not ("stride4" or "pooled")) throw new LearningException($"A resnet's stem is stride4 or pooled, not '{spec.Stem}'.");
        if (spec.Input is not ("grey" or "imagenet")) throw new LearningException($"A resnet's input is grey or imagenet, not '{spec.Input}'.");
        if (spec.Patch is not null || spec.Depth is not null || spec.Heads is not null)
            throw new LearningException("A resnet has no patch, depth or heads; those belong to a vit.");
        SoundEncoder.RefuseItsOwn(spec);

        // Blue, green, red: the order of the public weights' first convolution.
        if (spec.Input == "imagenet") register_buffer("means", tensor([103.06f, 115.90f, 123.15f], [1, 3, 1, 1]).DetachFromDisposeScope(), persistent: false);
        register_module("conv1", _conv1 = new Convolution(spec.Input == "grey" ? 1 : 3, spec.Width, 7, spec.Stem == "stride4" ? 4 : 2, generator));
        register_module("bn1", _bn1 = nn.BatchNorm2d(spec.Width));
        var inputs = spec.Width;
        for (var stage = 0; stage < spec.Blocks.Count; stage++)
        {
            var outputs = spec.Width << stage;
            var blocks = new (string, nn.Module<Tensor, Tensor>)[spec.Blocks[stage]];
            for (var i = 0; i < blocks.Length; i++)
            {
                blocks[i] = ($"{i}", new BasicBlock(inputs, outputs, i == 0 && stage > 0 ? 2 : 1, generator));
                inputs = outputs;
            }
            _stages.Add(nn.Sequential(blocks));
            register_module($"layer{stage + 1}", _stages[^1]);
        }
    }

    /// <inheritdoc />
    public override Tensor Features(Tensor x) => Map(x).mean([2, 3]).to_type(ScalarType.Float32);                  // B×D

    /// <inheritdoc />
    public override Tensor Tokens(Tensor x) => Map(x).flatten(2).transpose(1, 2).to_type(ScalarType.Float32);      // B×N×D

    private Tensor Map(Tensor x)
    {
        x = Spec.Input == "grey" ? (x - 0.5) / 0.25 : x * 255 - Means();                                    // B×1|3×H×W
        x = F.relu(_bn1.forward(_conv1.forward(x.to_type(Precision))), inplace: true);
        if (Spec.Stem == "pooled") x = F.max_pool2d(x, [3, 3], [2, 2], [1, 1]);
        foreach (var stage in _stages) x = stage.forward(x);
        return x;                                                                                                  // B×D×H'×W'
    }

    // Asked for by name: moving a module to another device puts a new tensor in the buffer's place.
    private Tensor Means() => get_buffer("means")!;
}
