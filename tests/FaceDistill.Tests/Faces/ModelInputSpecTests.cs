using FaceDistill.Faces;

namespace FaceDistill.Tests.Faces;

public sealed class ModelInputSpecTests
{
    private static readonly ModelInputSpec Good = FaceTensor.StudentContract(96, "dlib");

    public static TheoryData<string, ModelInputSpec> Wrong => new()
    {
        { "size 31", Good with { Size = 31 } },
        { "size 1025", Good with { Size = 1025 } },
        { "mean and std", Good with { Mean = [1, 2] } },
        { "mean and std", Good with { Std = [1, 2, 3, 4] } },
        { "std positive", Good with { Std = [1, 0, 1] } },
        { "std positive", Good with { Std = [1, -1, 1] } },
        { "std positive", Good with { Std = [1, float.PositiveInfinity, 1] } },
        { "mean is finite", Good with { Mean = [0, float.NaN, 0] } },
        { "template 'none'", Good with { Template = "none" } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_field_out_of_range_is_named_with_its_file(string field, ModelInputSpec contract)
    {
        string message = Assert.Throws<FaceDistillException>(() => contract.Validated("my-card.json")).Message;
        Assert.StartsWith("my-card.json: ", message, StringComparison.Ordinal);
        Assert.Contains(field, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_good_contract_is_itself()
    {
        Assert.Same(Good, Good.Validated("card"));
        Assert.Equal(3 * 96 * 96, Good.Values);
        foreach (int size in new[] { 32, 1024 })
        {
            Assert.Equal(size, (Good with { Size = size }).Validated("card").Size);
        }
    }
}
