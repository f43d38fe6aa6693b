using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DomainSsl.Learning.Encoders;

/// <summary>A convolution without bias whose float32 weights take the precision of what they are applied to. Initialised after He et al. 2015, fan out.</summary>
/// <remarks>Here and elsewhere parameters are asked for by name: moving a module to another device puts new tensors in their places, and a field would go on naming the old one.</remarks>
public sealed class Convolution : nn.Module<Tensor, Tensor>
{
    private readonly long[] _strides, _padding;

    /// <summary><paramref name="inputs"/> to <paramref name="outputs"/> channels, a square kernel padded to keep the size at stride 1.</summary>
    public Convolution(int inputs, int outputs, int kernel, int stride, Generator generator) : base(nameof(Convolution))
    {
        (_strides, _padding) = ([stride, stride], [kernel / 2, kernel / 2]);
        var deviation = Math.Sqrt(2.0 / (outputs * kernel * kernel));
        register_parameter("weight", Kept(empty(outputs, inputs, kernel, kernel).normal_(0, deviation, generator)));
    }

    /// <summary>A weight that outlives the dispose scope in which its network is built.</summary>
    internal static Parameter Kept(Tensor values)
    {
        var parameter = new Parameter(values);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <inheritdoc />
    public override Tensor forward(Tensor input) => F.conv2d(input, get_parameter("weight")!.to_type(input.dtype), null, _strides, _padding);
}

/// <summary>
/// A fully connected layer, x Wᵀ + b over the last dimension. On CPUs where the matrix library is slow it is computed as a 1×1 convolution over a channels-last view,
/// which is the same product; a short measurement decides once a process.
/// </summary>
public sealed class Linear : nn.Module<Tensor, Tensor>
{
    private static readonly Lock Gate = new();
    private static bool? _asConvolution;
    private readonly bool _hasBias;

    /// <summary><paramref name="inputs"/> to <paramref name="outputs"/> values; weights uniform after Glorot and Bengio 2010, bias zero.</summary>
    public Linear(int inputs, int outputs, Generator generator, bool bias = true) : base(nameof(Linear))
    {
        var bound = Math.Sqrt(6.0 / (inputs + outputs));
        register_parameter("weight", Convolution.Kept(empty(outputs, inputs).uniform_(-bound, bound, generator)));
        if (bias) register_parameter("bias", Convolution.Kept(zeros(outputs)));
        _hasBias = bias;
    }

    /// <summary>Whether products go through convolutions. Measured when first asked for; a resumed run sets what it began with, so that it ends with the same bits.</summary>
    public static bool AsConvolution
    {
        get { lock (Gate) return _asConvolution ??= Measure(); }
        set { lock (Gate) _asConvolution = value; }
    }

    /// <inheritdoc />
    public override Tensor forward(Tensor input)
    {
        var (weight, bias) = (get_parameter("weight")!.to_type(input.dtype), _hasBias ? get_parameter("bias")!.to_type(input.dtype) : null);
        return input.device_type == DeviceType.CPU && AsConvolution ? ThroughConvolution(input, weight, bias) : F.linear(input, weight, bias);
    }

    private static Tensor ThroughConvolution(Tensor x, Tensor weight, Tensor? bias)
    {
        var shape = x.shape;                                                       // … × k, contiguous
        long k = shape[^1], n = weight.shape[0], m = x.numel() / k;
        var y = F.conv2d(x.reshape(1, m, 1, k).permute(0, 3, 1, 2), weight.view(n, k, 1, 1), bias);
        shape[^1] = n;
        return y.permute(0, 2, 3, 1).reshape(shape);                               // … × n, contiguous again
    }

    /// <summary>Whether convolutions are the quicker way. Some 200 ms: the same product and its gradients both ways, the quicker one of three tries each. Backwards is two thirds of a step, and there the ways may differ the other way round.</summary>
    public static bool Measure()
    {
        using var scope = NewDisposeScope();
        // It may be asked for first while predicting.
        using var learning = inference_mode(false);
        using var on = enable_grad();
        var (x, w, b) = (zeros(4096, 192, requires_grad: true), zeros(768, 192, requires_grad: true), zeros(768, requires_grad: true));
        double plain = double.MaxValue, convolution = double.MaxValue;
        for (var i = 0; i < 4; i++)
        {
            var (t0, t1) = (Seconds(() => F.linear(x, w, b)), Seconds(() => ThroughConvolution(x, w, b)));
            if (i == 0) continue; // the first call of each sets its kernels up
            (plain, convolution) = (Math.Min(plain, t0), Math.Min(convolution, t1));
        }
        return convolution < plain;

        static double Seconds(Func<Tensor> product)
        {
            using var one = NewDisposeScope();
            var clock = Stopwatch.StartNew();
            product().sum().backward();
            return clock.Elapsed.TotalSeconds;
        }
    }
}
