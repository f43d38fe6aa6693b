using System.Buffers.Binary;
using System.Text;
using DomainSsl.Learning.Weights;
using DomainSsl.Testing;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.Weights;

public sealed class SafeTensorsTests
{
    [Fact]
    public void Write_EveryType_ReadsBackBitForBit()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var values = rand(3, 4) * 100;
        var tensors = new Dictionary<string, Tensor>
        {
            ["f32"] = values,
            ["transposed"] = values.t(),
            ["f64"] = values.to_type(ScalarType.Float64),
            ["f16"] = values.to_type(ScalarType.Float16),
            ["bf16"] = values.to_type(ScalarType.BFloat16),
            ["i64"] = values.to_type(ScalarType.Int64),
            ["i32"] = values.to_type(ScalarType.Int32),
            ["u8"] = values.to_type(ScalarType.Byte),
            ["bool"] = values > 50,
            ["scalar"] = tensor(7f),
            ["empty"] = zeros(0, 5),
        };
        SafeTensors.Write(folder.At("all.safetensors"), tensors, new Dictionary<string, string> { ["note"] = "grüß \"dich\"" });
        using var back = SafeTensors.Read(folder.At("all.safetensors"));
        Assert.Equal(tensors.Count, back.Tensors.Count);
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.dtype, back.Tensors[name].dtype);
            Assert.Equal(tensor.shape, back.Tensors[name].shape);
            Assert.True(tensor.eq(back.Tensors[name]).all().item<bool>(), name);
        }
        Assert.Equal("grüß \"dich\"", back.Metadata["note"]);
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "outside the file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "belong to nothing")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "another size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "sound safetensors")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "outside the file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "leaves a gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "stands twice")]
    [InlineData("""{"a":{"dtype":"PICKLE","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown type")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "lacks type")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"code":"x"}}""", 4, "unknown part")]
    [InlineData("""{"a":7}""", 4, "header cannot be read")]
    [InlineData("""[1,2]""", 0, "not an object")]
    [InlineData("""{"a":""", 0, "header cannot be read")]
    public void Read_HostileHeader_IsRefusedWithItsReason(string header, int bytes, string reason)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.At("x"), [.. Length(header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[bytes]]);
        Assert.Contains(reason, Assert.Throws<LearningException>(() => SafeTensors.Read(folder.At("x"))).Message);
    }

    [Fact]
    public void Write_ThatCannotTakeItsName_LeavesNothingBehind()
    {
        using var folder = new TemporaryFolder();
        using var t = arange(6, ScalarType.Float32);
        Directory.CreateDirectory(folder.At("taken"));
        Assert.ThrowsAny<Exception>(() => SafeTensors.Write(folder.At("taken"), new Dictionary<string, Tensor> { ["t"] = t }));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1000)]
    [InlineData(1L << 32)]
    public void Read_HeaderLengthThatLies_IsRefused(long length)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.At("x"), [.. Length(length), .. "{}"u8]);
        Assert.Contains("header is longer", Assert.Throws<LearningException>(() => SafeTensors.Read(folder.At("x"))).Message);
    }

    [Fact]
    public void Read_EveryTruncation_IsRefused()
    {
        using var folder = new TemporaryFolder();
        using var t = arange(6, ScalarType.Float32);
        SafeTensors.Write(folder.At("whole"), new Dictionary<string, Tensor> { ["t"] = t });
        var whole = File.ReadAllBytes(folder.At("whole"));
        for (var n = 0; n < whole.Length; n++)
        {
            File.WriteAllBytes(folder.At("cut"), whole[..n]);
            Assert.Throws<LearningException>(() => SafeTensors.Read(folder.At("cut")));
        }
    }

    private static byte[] Length(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}
