using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Encoders;

/// <summary>
/// A convolution over time on frames that lie one after another, B×T×C. It is computed as a two-dimensional one over a channels-last view, which on CPUs is quicker than a one-dimensional one, and what comes out
/// lies in memory as a normalisation wants it. T frames give ⌈T / stride⌉. Initialised after He et al. 2015, fan in.
/// </summary>
internal sealed class FrameConvolution : nn.Module<Tensor, Tensor>
{
    private readonly int _kernel, _stride, _groups;

    public FrameConvolution(int inputs, int outputs, int kernel, int stride, Generator generator, int groups = 1) : base(nameof(FrameConvolution))
    {
        (_kernel, _stride, _groups) = (kernel, stride, groups);
        var deviation = Math.Sqrt(2.0 / (inputs / groups * kernel));
        register_parameter("weight", Convolution.Kept(empty(outputs, inputs / groups, 1, kernel).normal_(0, deviation, generator)));
        register_parameter("bias", Convolution.Kept(zeros(outputs)));
    }

    public override Tensor forward(Tensor input)
    {
        long frames = input.shape[1], padded = (frames + _stride - 1) / _stride * _stride;
        long around = Math.Max(0, _kernel - _stride), before = around / 2;
        if (around > 0 || padded > frames) input = F.pad(input, [0, 0, before, around - before + padded - frames]);
        var x = input.unsqueeze(1).permute(0, 3, 1, 2);                                                            // B×C×1×T
        var y = F.conv2d(x, get_parameter("weight")!.to_type(input.dtype), get_parameter("bias")!.to_type(input.dtype), [1, _stride], [0, 0], groups: _groups);
        return y.permute(0, 2, 3, 1).squeeze(1).contiguous();                                                      // B×T'×C'
    }
}

/// <summary>Two convolutions over time after a normalisation, with a way round them.</summary>
internal sealed class FrameBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm _norm;
    private readonly FrameConvolution _conv1, _conv2;

    public FrameBlock(int width, int kernel, Generator generator) : base(nameof(FrameBlock))
    {
        register_module("norm", _norm = nn.LayerNorm(width));
        register_module("conv1", _conv1 = new FrameConvolution(width, width, kernel, 1, generator));
        register_module("conv2", _conv2 = new FrameConvolution(width, width, kernel, 1, generator));
    }

    public override Tensor forward(Tensor input) => Forward(input, null);

    /// <summary>Frames where <paramref name="there"/> (B×T×1; null: all) is 0 stay silent, so that an item's frames do not depend on what pads it.</summary>
    public Tensor Forward(Tensor x, Tensor? there)
    {
        var y = TransformerBlock.Normalised(_norm, x);
        if (there is not null) y = y * there;
        y = F.gelu(_conv1.forward(y));
        if (there is not null) y = y * there;
        return x + _conv2.forward(y);
    }
}

/// <summary>
/// An encoder of sound in three parts, which objectives and transcribers take apart: <see cref="Front"/> (log-mel bands or the waveform, both normalised an item), <see cref="Latents"/> (strided convolutions to 25 or 50 frames
/// a second: the "feature encoder" f of wav2vec 2.0) and <see cref="Context"/> (residual convolutions, or a Transformer with convolutional positions: its "context network" g). From 1 M weights for a CPU to those of
/// wav2vec 2.0 BASE (Baevski et al. 2020, section 4.2) by specification. Items of a batch may differ in length; what pads them changes nothing. Departures from the paper: layer normalisation a frame in all
/// convolutions, blocks that normalise before rather than after, no dropout.
/// </summary>
public sealed class SoundEncoder : Encoder
{
    // Kernels and strides of the waveform's seven convolutions: 320 samples a frame, 25 ms seen (wav2vec 2.0, section 4.2).
    private static readonly (int Kernel, int Stride)[] WaveLayers = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];
    private const int PositionKernel = 128, PositionGroups = 16;

    private readonly LogMel? _mel;
    private readonly List<(FrameConvolution Convolution, LayerNorm Norm)> _strided = [];
    private readonly LayerNorm? _joinNorm;
    private readonly Linear? _join;
    private readonly FrameConvolution? _positions;
    private readonly List<FrameBlock> _convolutions = [];
    private readonly List<TransformerBlock> _transformer = [];
    private readonly LayerNorm _norm;

    /// <summary>With weights drawn from <paramref name="generator"/>.</summary>
    public SoundEncoder(EncoderSpec spec, Generator generator) : base(spec, spec.Width)
    {
        Check(spec);
        LatentWidth = spec.FrontWidth ?? spec.Width;
        var layers = WaveLayers;
        if (spec.Front == "mel")
        {
            _mel = new LogMel(spec.Bands!.Value);
            register_module("mel", _mel);
            layers = [.. Enumerable.Repeat((3, 2), spec.Rate == 25 ? 2 : 1)];
        }
        var inputs = spec.Bands ?? 1;
        for (var i = 0; i < layers.Length; i++)
        {
            _strided.Add((new FrameConvolution(inputs, LatentWidth, layers[i].Kernel, layers[i].Stride, generator), nn.LayerNorm(LatentWidth)));
            register_module($"conv{i}", _strided[i].Convolution);
            register_module($"norm{i}", _strided[i].Norm);
            inputs = LatentWidth;
        }
        if (LatentWidth != spec.Width)
        {
            register_module("join_norm", _joinNorm = nn.LayerNorm(LatentWidth));
            register_module("join", _join = new Linear(LatentWidth, spec.Width, generator));
        }
        if (spec.Heads is not null) register_module("positions", _positions = new FrameConvolution(spec.Width, spec.Width, PositionKernel, 1, generator, PositionGroups));
        for (var i = 0; i < spec.Depth; i++)
        {
            if (spec.Heads is { } heads) _transformer.Add(new TransformerBlock(spec.Width, heads, generator));
            else _convolutions.Add(new FrameBlock(spec.Width, spec.Kernel!.Value, generator));
        }
        register_module("blocks", nn.Sequential([.. _transformer.Cast<nn.Module<Tensor, Tensor>>().Concat(_convolutions).Select((block, i) => ($"{i}", block))]));
        register_module("norm", _norm = nn.LayerNorm(spec.Width));
    }

    /// <summary>Nothing: all parts have their names already, and under those of the fields they would stand in a file twice.</summary>
    protected override void RegisterComponents()
    {
    }

    /// <summary>Channels of the latents, C.</summary>
    public int LatentWidth { get; }

    /// <summary>Blocks of the context network.</summary>
    public int Depth => Spec.Depth!.Value;

    /// <summary>Samples a frame: 320 or 640.</summary>
    public int Stride => Spec.Resolution / Spec.Rate!.Value;

    /// <summary>Frames that come of so many samples, ⌈n / stride⌉.</summary>
    public long Frames(long samples) => (samples + Stride - 1) / Stride;

    /// <summary>Frames of each item.</summary>
    public long[] Frames(long[] samples) => Array.ConvertAll(samples, Frames);

    /// <summary>B×T samples of equal length to B×T'×D.</summary>
    public override Tensor Tokens(Tensor x) => Encode(x, null);

    /// <summary>The whole way: samples to frames.</summary>
    /// <param name="samples">B×T, full scale ±1, silence behind the shorter items.</param>
    /// <param name="lengths">Samples of each item; null: all T.</param>
    /// <returns>B×T'×D, float32; of item b the first <see cref="Frames(long)"/> of its length are its own, the others mean nothing.</returns>
    public Tensor Encode(Tensor samples, long[]? lengths) => Context(Latents(Front(samples, lengths), lengths), lengths);

    /// <summary>One vector an item, B×D: the mean of the frames that are its own.</summary>
    /// <remarks>
    /// A word, a murmur or a cough may lie anywhere in a recording, and lengths differ: the mean does not depend on either, has no weights that a few dozen labels would have to fit, and a recording of twice the length weighs no more.
    /// </remarks>
    /// <param name="samples">As of <see cref="Encode"/>.</param>
    /// <param name="lengths">As of <see cref="Encode"/>.</param>
    /// <param name="hide">Changes what the first convolution sees, B×F×M to B×F×M, as SpecAugment does; null: nothing is changed.</param>
    public Tensor Features(Tensor samples, long[]? lengths, Func<Tensor, Tensor>? hide = null)
    {
        var front = Front(samples, lengths);
        var c = Context(Latents(hide is null ? front : hide(front), lengths), lengths);                            // B×T'×D
        return There(c, lengths is null ? null : Frames(lengths)) is { } there ? (c * there).sum(1) / there.sum(1) : c.mean([1]);
    }

    /// <summary>
    /// What the first convolution sees: B×F×M log-mel bands, each band of each item with mean 0 and deviation 1, or B×T×1 samples with mean 0 and deviation 1 an item. Behind an item's end it is 0.
    /// </summary>
    public Tensor Front(Tensor samples, long[]? lengths)
    {
        // The small number keeps silence quiet: a deviation of 0.1 of a logarithm, or −60 dB of a waveform, is none.
        return _mel is null ? Standard(samples.unsqueeze(2), lengths, 1e-6) : Standard(_mel.forward(samples), lengths is null ? null : Array.ConvertAll(lengths, LogMel.Frames), 1e-2);
    }

    /// <summary>Each channel of each item less its mean, by its deviation, B×T×C; 0 behind an item's end.</summary>
    internal static Tensor Standard(Tensor x, long[]? ends, double floor)
    {
        using var off = no_grad();
        var there = There(x, ends);
        var count = there?.sum(1, keepdim: true);                                                                  // B×1×1
        Tensor Mean(Tensor values) => there is null ? values.mean([1], keepdim: true) : (values * there).sum(1, keepdim: true) / count!;
        x = x - Mean(x);
        x = x / (Mean(x.square()) + floor).sqrt();
        return there is null ? x : x * there;
    }

    /// <summary>The strided convolutions, z = f(x): from <see cref="Front"/> to B×T'×C.</summary>
    public Tensor Latents(Tensor front, long[]? lengths)
    {
        var x = front.to_type(Precision);
        long samples = _mel is null ? 1 : LogMel.Hop, stride = samples;
        foreach (var ((convolution, norm), layer) in _strided.Zip(_mel is null ? WaveLayers : [(3, 2), (3, 2)]))
        {
            stride *= layer.Stride;
            x = F.gelu(TransformerBlock.Normalised(norm, convolution.forward(x)));
            if (There(x, lengths is null ? null : Array.ConvertAll(lengths, n => (n + stride - 1) / stride)) is { } there) x = x * there;
        }
        return x;
    }

    /// <summary>The context network, c = g(z): B×T'×C to B×T'×D.</summary>
    /// <param name="latents">From <see cref="Latents"/>, or with frames masked.</param>
    /// <param name="lengths">As samples, as everywhere; null: all of equal length.</param>
    /// <param name="blocks">How many blocks; null: all, and the last normalisation.</param>
    public Tensor Context(Tensor latents, long[]? lengths, int? blocks = null)
    {
        var x = AfterEach(latents, lengths).ElementAt(blocks ?? Depth).to_type(ScalarType.Float32);
        return blocks is null ? _norm.forward(x) : x;
    }

    /// <summary>What each block of the context network gives, first to last, B×T'×D each, float32; arguments as of <see cref="Context"/>.</summary>
    public IReadOnlyList<Tensor> Layers(Tensor latents, long[]? lengths) => [.. AfterEach(latents, lengths).Skip(1).Select(x => x.to_type(ScalarType.Float32))];

    // What goes into the first block, then what comes out of each; computed as far as it is asked for.
    private IEnumerable<Tensor> AfterEach(Tensor latents, long[]? lengths)
    {
        var x = latents;
        if (_join is not null) x = _join.forward(TransformerBlock.Normalised(_joinNorm!, x));
        var there = There(x, lengths is null ? null : Frames(lengths));
        if (there is not null) x = x * there;
        var seen = _positions is null ? null : there?.ne(0).view(x.shape[0], 1, 1, x.shape[1]);
        if (_positions is not null) x = x + F.gelu(_positions.forward(x));
        yield return x;
        foreach (var block in _transformer) yield return x = block.Attend(x, seen);
        foreach (var block in _convolutions) yield return x = block.Forward(x, there);
    }

    /// <summary>B×T×1: 1 where an item is, 0 behind its end; null where all are as long as the batch.</summary>
    private static Tensor? There(Tensor x, long[]? lengths)
    {
        if (lengths is null || lengths.All(n => n >= x.shape[1])) return null;
        using var off = no_grad();
        var ends = tensor(lengths, [lengths.Length, 1], ScalarType.Int64).to(x.device);
        return arange(x.shape[1], ScalarType.Int64, x.device).unsqueeze(0).lt(ends).to_type(x.dtype).unsqueeze(2);
    }

    private static void Check(EncoderSpec spec)
    {
        void Must(bool holds, string sentence)
        {
            if (!holds) throw new LearningException(sentence);
        }

        Must(spec.Resolution == LogMel.SampleRate, $"A sound encoder's resolution is {LogMel.SampleRate}, the samples a second, not {spec.Resolution}.");
        Must(spec.Front is "mel" or "wave", $"A sound encoder's front is mel or wave, not '{spec.Front}'.");
        Must(spec.Front == "wave" ? spec.Bands is null : spec.Bands is >= 2 and <= 80, "A sound encoder with the front mel needs 'bands', 2 to 80; with the front wave it has none.");
        Must(spec.Rate is 50 || spec is { Rate: 25, Front: "mel" }, "A sound encoder's rate is 25 or 50 frames a second; with the front wave it is 50.");
        Must(spec.Depth is > 0 and <= 64, "A sound encoder needs 'depth', 1 to 64 blocks.");
        Must(spec.Width is > 0 and <= 4096 && spec.FrontWidth is null or (> 0 and <= 4096), "A sound encoder's width and frontWidth must be 1 to 4096.");
        Must(spec.Heads is null ? spec.Kernel is > 0 and < 64 && spec.Kernel % 2 == 1 : spec.Kernel is null,
            "A sound encoder of convolutions needs 'kernel', an odd number of frames below 64; one with 'heads' is a Transformer and has none.");
        Must(spec.Heads is null || spec.Heads > 0 && spec.Width % spec.Heads == 0 && spec.Width % PositionGroups == 0, $"A sound encoder's width must be a multiple of its heads and of {PositionGroups}: {spec.Width} is not, with {spec.Heads} heads.");
        Must(spec.Blocks is null && spec.Stem is null && spec.Input is null && spec.Patch is null, "A sound encoder has no blocks, stem, input or patch; those belong to encoders of images.");
    }

    internal static void RefuseItsOwn(EncoderSpec spec)
    {
        if (spec.Front is not null || spec.Bands is not null || spec.FrontWidth is not null || spec.Rate is not null || spec.Kernel is not null)
            throw new LearningException($"A {spec.Architecture} has no front, bands, frontWidth, rate or kernel; those belong to encoders of sound.");
    }
}
